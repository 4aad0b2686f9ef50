"""A Jupyter Server extension: what a cell shows outlives the page that ran it.

Jupyter's server hands on what a kernel publishes and forgets it, so that what a cell prints while no page is open is lost. Here the server listens to
each kernel itself. While the page that ran a cell is there, it shows and saves the outputs as ever; from the moment that it is gone the
server puts them into the notebook's file, and other pages that show the notebook are told them as they come.
"""

from .app import OutliveApp


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    return [{"module": "pomona_jupyter.outlive", "app": OutliveApp}]
