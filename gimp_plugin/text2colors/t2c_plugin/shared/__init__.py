"""What the plug-ins for GIMP 3 and GIMP 2.10 have in common.

The files run on Python 2.7 and 3 alike, so types stand in comments. Standard library only.
"""
