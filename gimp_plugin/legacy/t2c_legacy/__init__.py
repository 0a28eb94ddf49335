"""The plug-in for GIMP 2.10, whose Python is 2.7. The source runs on Python 3 too, so types stand in comments."""
