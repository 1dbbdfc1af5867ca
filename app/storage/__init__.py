"""Where data lives: SQLAlchemy models, repositories behind the services' protocols, migrations."""
