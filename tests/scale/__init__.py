"""Phase 3 on a hundred simulated nodes: `make scale`."""
