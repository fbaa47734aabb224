# SPDX-License-Identifier: MIT
"""The hosts of these suites themselves: a suite that is interrupted, or killed, leaves no server."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from hosts import arguments_of, family, wait_until

# Without a tearDownClass, as unittest unwinds where somebody presses Ctrl-C.
SUITE = """
import time
import hosts
server = getattr(hosts, "%s")({"MAIL_FROM": "noreply@bee.example"}).start()
print(server.directory, flush=True)
time.sleep(60)
"""


class Interrupted(unittest.TestCase):
	def left_by(self, server, how):
		"""Whether a server was there, that nothing of it stays, and whether its directory does."""
		folder = tempfile.mkdtemp(prefix="gb")
		self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
		os.chmod(folder, 0o755)
		with subprocess.Popen([sys.executable, "-W", "ignore", "-c", SUITE % server], cwd=os.path.dirname(os.path.abspath(__file__)),
		    env={**os.environ, "TMPDIR": folder}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as suite:
			directory = suite.stdout.readline().strip()
			there = {pid: arguments_of(pid) for pid in family(suite.pid) - {suite.pid}}
			suite.send_signal(how)
			suite.wait(30)
		self.assertTrue(directory and len(there) > 1)
		self.assertTrue(wait_until(lambda: not [pid for pid, arguments in there.items() if arguments_of(pid) == arguments], 20), [how, server])
		return os.path.exists(directory)

	def test_nothing_runs_on(self):
		for server, how, leaves_directory in (("Server", signal.SIGINT, False), ("Server", signal.SIGTERM, False),
		    ("Server", signal.SIGKILL, True), ("Nginx", signal.SIGKILL, True)):
			with self.subTest(server=server, how=how):
				self.assertEqual(self.left_by(server, how), leaves_directory)


if __name__ == "__main__":
	unittest.main()
