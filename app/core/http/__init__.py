"""HTTP shared by the services: middleware, authentication, rate limits, caching, problems, uploads and downloads."""
