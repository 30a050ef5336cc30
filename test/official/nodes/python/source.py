"""Sends one message of every Arrow type on "types", each with its name and one parameter of every kind; of all but WITHOUT."""

import os

from arrow_types import arrays
from say import PARAMETERS, join

node = join()
without = os.environ.get("WITHOUT", "").split()
for name, array in arrays().items():
    if name in without:
        continue
    node.send_output("types", array, {"name": name, **PARAMETERS})
