"""Steps of the pipeline that have no command of their own: attestations, releases, previews, drift."""
