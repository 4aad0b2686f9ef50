"""What Jupyter's Python side needs for TypeScript notebooks: papermill's parameters in TypeScript."""

__version__ = "0.1.0"
