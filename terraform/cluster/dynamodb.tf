locals {
  # The one list of services, with the tables and calls of each. terraform/datadog reads the same file.
  services = jsondecode(file("${path.module}/../services.json"))

  # Names without the prefix, keys, and the attribute that says when an item may go. What the programs create for
  # themselves on a local engine is the same: a test compares.
  tables = {
    details = { hash_key = "id", range_key = null, types = { id = "N" }, expires = null }
    reviews = { hash_key = "product_id", range_key = "reviewer", types = { product_id = "N", reviewer = "S" }, expires = null }
    ratings = { hash_key = "product_id", range_key = "reviewer", types = { product_id = "N", reviewer = "S" }, expires = null }
    history = { hash_key = "pk", range_key = "sk", types = { pk = "S", sk = "S" }, expires = "expires_at" }
  }
}

resource "aws_dynamodb_table" "this" {
  # checkov:skip=CKV_AWS_119: encrypted with AWS's own key for DynamoDB; a key of ours costs for each request, and the catalogue is public
  # checkov:skip=CKV_AWS_28: point-in-time recovery would leave a backup of 35 days behind each destroy, and `bookwatch seed` restores the catalogue
  for_each = local.tables

  name                        = "${var.table_prefix}${each.key}"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = each.value.hash_key
  range_key                   = each.value.range_key
  deletion_protection_enabled = false

  dynamic "attribute" {
    for_each = each.value.types
    content {
      name = attribute.key
      type = attribute.value
    }
  }

  dynamic "ttl" {
    for_each = each.value.expires == null ? [] : [each.value.expires]
    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }
}
