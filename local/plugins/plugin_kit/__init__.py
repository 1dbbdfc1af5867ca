"""What both plugins need: serving gRPC the way the engine expects it, and talking back to the engine."""
