"""How colours are scaled for the palette network, once for its torch and its numpy side. Must not import anything."""

LAB_CENTRE = (60.0, 5.0, 5.0)  # Lab is centred and divided by the scale before the network sees it
LAB_SCALE = 30.0
LOG_SIGMA = (-3.2, 1.5)  # range of the Gaussians' log scale, in scaled Lab: from 1.2 to 134 Lab units
