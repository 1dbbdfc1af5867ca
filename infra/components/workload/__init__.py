"""The API: its chart and the Helm release."""
