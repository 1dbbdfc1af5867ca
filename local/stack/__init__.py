"""The Pulumi stacks on the cluster: bringing them up, checks before an update, restores."""
