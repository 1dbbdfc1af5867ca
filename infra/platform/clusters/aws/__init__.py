"""An EKS cluster and what it stands on: network, roles, registry, bucket."""
