"""The composition root: which part stands behind which protocol."""
