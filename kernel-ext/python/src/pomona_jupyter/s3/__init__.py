"""Notebooks in S3: the settings in EMR's form, and the contents manager that keeps notebooks under ``jupyter/<user>/``."""
