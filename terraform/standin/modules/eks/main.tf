# The variables of terraform-aws-modules/eks/aws 21 that we set, and the outputs that we read, for where the registry is
# out of reach. Nothing is made.

variable "name" {
  type = string
}

variable "kubernetes_version" {
  type = string
}

variable "vpc_id" {
  type = string
}

variable "subnet_ids" {
  type = list(string)
}

variable "endpoint_public_access" {
  type = bool
}

variable "endpoint_public_access_cidrs" {
  type = list(string)
}

variable "enable_cluster_creator_admin_permissions" {
  type = bool
}

variable "enable_irsa" {
  type = bool
}

variable "enabled_log_types" {
  type = list(string)
}

variable "create_cloudwatch_log_group" {
  type = bool
}

variable "cloudwatch_log_group_retention_in_days" {
  type = number
}

variable "kms_key_deletion_window_in_days" {
  type = number
}

variable "addons" {
  type = map(object({
    addon_version        = optional(string)
    before_compute       = optional(bool)
    configuration_values = optional(string)
    most_recent          = optional(bool)
  }))
}

variable "eks_managed_node_groups" {
  type = map(object({
    ami_type                       = optional(string)
    instance_types                 = optional(list(string))
    use_latest_ami_release_version = optional(bool)
    min_size                       = optional(number)
    max_size                       = optional(number)
    desired_size                   = optional(number)
    metadata_options = optional(object({
      http_endpoint               = optional(string)
      http_tokens                 = optional(string)
      http_put_response_hop_limit = optional(number)
    }))
  }))
}

output "cluster_name" {
  value = var.name
}

output "cluster_endpoint" {
  value = "https://${var.name}.invalid"
}

output "cluster_certificate_authority_data" {
  value = base64encode(var.name)
}
