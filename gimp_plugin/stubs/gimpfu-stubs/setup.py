"""The distribution `gimpfu-stubs`: stub-only packages (PEP 561) for the modules of GIMP 2.10's Python-Fu."""

from pathlib import Path

from setuptools import setup

MODULES = ("gimp", "gimpcolor", "gimpenums", "gimpfu", "gimpplugin", "gimpshelf", "gimpui")

setup(
    name="gimpfu-stubs",
    version="2.10.34.0",  # of the GIMP that the stubs were made from, then ours
    description="Types for GIMP 2.10's Python-Fu: gimpfu, gimp, gimpenums, gimpcolor, gimpui, the PDB",
    long_description=(Path(__file__).parent / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.8",
    keywords=["gimp", "python-fu", "gimpfu", "stubs", "typing"],
    packages=[f"{module}-stubs" for module in MODULES],
    package_data={"": ["*.pyi"]},
    zip_safe=False,
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Developers",
        "License :: OSI Approved :: MIT License",
        "Programming Language :: Python :: 3",
        "Topic :: Multimedia :: Graphics :: Editors",
        "Typing :: Stubs Only",
    ],
)
