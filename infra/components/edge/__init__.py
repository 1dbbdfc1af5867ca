"""How requests come in: gateway, certificates, CDN."""
