"""HTTP around the services: request middleware, authentication, limits, caching, problems, uploads and downloads."""
