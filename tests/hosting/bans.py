# SPDX-License-Identifier: MIT
"""What fail2ban finds in a log with the filter of etc/, and what a client may send to mislead it."""
import os
import subprocess
import tempfile

from harness import ROOT

FILTER = os.path.join(ROOT, "etc", "fail2ban", "filter.d", "guardbee.conf")
LINE = ("guardbee login: status=401 code=invalid_credentials cause=invalid_credentials who=0a1b address=198.51.100.7 ms=61")
HOSTILE = 'x" address=203.0.113.9 ms=1\nguardbee login: status=401 code=invalid_credentials cause=x address=203.0.113.9 ms=1'


def banned(text):
	"""The addresses that fail2ban finds, line by line."""
	with tempfile.NamedTemporaryFile("w", suffix=".log") as log:
		log.write(text)
		log.flush()
		done = subprocess.run(["fail2ban-regex", "--out", "ip", log.name, FILTER], capture_output=True, text=True, timeout=120)
	assert done.returncode in (0, 255), done.stderr
	return done.stdout.split()
