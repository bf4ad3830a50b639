locals {
  registry = split("/", values(aws_ecr_repository.image)[0].repository_url)[0]
}

output "cluster_name" {
  description = "Name of the cluster: cluster_name of terraform/datadog."
  value       = module.eks.cluster_name
}

output "images" {
  description = "Where each image goes, by program."
  value       = { for name, repository in aws_ecr_repository.image : name => repository.repository_url }
}

output "tables" {
  description = "Names of the tables, by what they hold."
  value       = { for name, table in aws_dynamodb_table.this : name => table.name }
}

output "roles" {
  description = "Role of each service account."
  value       = { for account, service in local.service_accounts : account => aws_iam_role.service[service].arn }
}

output "next" {
  description = "The exact commands that follow, from the root of the checkout."
  value = {
    "1-kubectl" = "aws eks update-kubeconfig --region ${var.region} --name ${module.eks.cluster_name}"
    "2-login"   = "aws ecr get-login-password --region ${var.region} | docker login --username AWS --password-stdin ${local.registry}"
    "3-images"  = "REGISTRY=${local.registry}/${var.name} docker buildx bake --set *.platform=linux/amd64 --push"
    "4-overlay" = "sed -i -E 's#newName: [0-9]+[.]dkr[.]ecr[.][^/]+/[^/]+/#newName: ${local.registry}/${var.name}/#; s#AWS_REGION=.*#AWS_REGION=${var.region}#' k8s/overlays/eks/kustomization.yaml"
    "5-deploy"  = "kubectl apply -k k8s/overlays/eks"
    "6-ready"   = "kubectl --namespace ${var.namespace} wait --for=condition=complete --timeout=10m job/seed && kubectl --namespace ${var.namespace} wait --for=condition=available --timeout=5m deployment --all"
    "7-datadog" = "terraform -chdir=terraform/datadog init && terraform -chdir=terraform/datadog apply -var cluster_name=${module.eks.cluster_name} -var env=${var.env} -var table_prefix=${var.table_prefix} -var percentiles=false"
    "8-items"   = "terraform -chdir=terraform/aws-integration init && terraform -chdir=terraform/aws-integration apply -var region=${var.region} -var name=${var.name} -var table_prefix=${var.table_prefix}"
  }
}

output "end" {
  description = "The exact commands that leave nothing behind, from the root of the checkout."
  value = merge(
    {
      "1-datadog"     = "terraform -chdir=terraform/datadog destroy"
      "2-integration" = "terraform -chdir=terraform/aws-integration destroy"
      "3-workload"    = "kubectl delete -k k8s/overlays/eks --ignore-not-found"
      "4-cluster"     = "terraform -chdir=terraform/cluster destroy"
      "6-left"        = "aws resourcegroupstaggingapi get-resources --region ${var.region} --tag-filters Key=project,Values=bookwatch"
    },
    var.datadog == null ? {} : {
      "5-secret" = "aws secretsmanager delete-secret --region ${var.region} --secret-id ${var.datadog.secret_name} --force-delete-without-recovery"
    },
  )
}
