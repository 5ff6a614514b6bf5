"""What several test files share: models, runs on disk, processes that train."""
