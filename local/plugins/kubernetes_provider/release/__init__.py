"""`helm.sh/v3:Release`: a chart installed, upgraded, watched and removed through the helm command."""
