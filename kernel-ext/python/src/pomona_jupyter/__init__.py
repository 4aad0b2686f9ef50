"""A notebook's parameters in TypeScript: what its cell declares and how values are written, for papermill and ``pomona run``."""

__version__ = "0.1.0"
