"""Sends one message of every Arrow type on "types", each with its name and one parameter of every kind."""

from arrow_types import arrays
from say import PARAMETERS, join

node = join()
for name, array in arrays().items():
    node.send_output("types", array, {"name": name, **PARAMETERS})
