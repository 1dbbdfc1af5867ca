"""What a stack costs a month: `make cost`."""
