"""The program with catalogues from another folder: python -m tests.browser.with_catalogues FOLDER"""

from gevent import monkey

monkey.patch_all()

import runpy
import sys
from pathlib import Path

from facilitation import language

if __name__ == "__main__":
    language.HERE = Path(sys.argv.pop(1))
    runpy.run_path("app.py", run_name="__main__")
