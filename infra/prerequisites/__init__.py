"""What a stack needs of its cluster, checked before anything is made."""
