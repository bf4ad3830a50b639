# All images at once: `docker buildx bake`. One: `docker buildx bake details`. See Dockerfiles/README.md.

variable "REGISTRY" {
  description = "What stands before the name of each program."
  default     = "bookwatch"
}

variable "VERSION" {
  description = "Tag of the images. The manifests in k8s/ name the same one."
  default     = "0.1.0"
}

variable "REVISION" {
  description = "Commit that is built."
  default     = "unknown"
}

variable "SOURCE" {
  description = "Where the sources are."
  default     = "unknown"
}

variable "CREATED" {
  description = "Time of the build, by RFC 3339. The default makes builds of one commit the same."
  default     = "1970-01-01T00:00:00Z"
}

variable "BUILD_IMAGE" {
  default = "rust:1.95-slim-bookworm"
}

variable "RUNTIME_IMAGE" {
  default = "gcr.io/distroless/static-debian12:nonroot"
}

group "default" {
  targets = ["image"]
}

# For this machine's own architecture, loaded into its engine.
target "image" {
  matrix = {
    program = [
      "bookwatch",
      "console",
      "details",
      "loadgen",
      "mymetric",
      "productpage",
      "ratings",
      "reviews",
      "synthetics",
    ]
  }
  name       = program
  dockerfile = "Dockerfiles/Dockerfile"
  target     = program
  tags       = ["${REGISTRY}/${program}:${VERSION}"]
  args = {
    BUILD_IMAGE       = BUILD_IMAGE
    RUNTIME_IMAGE     = RUNTIME_IMAGE
    VERSION           = VERSION
    REVISION          = REVISION
    SOURCE            = SOURCE
    CREATED           = CREATED
    SOURCE_DATE_EPOCH = "0"
  }
}
