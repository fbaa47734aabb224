# SPDX-License-Identifier: MIT
"""README's path with curl, run as it stands: each `#>` line must be in what the command before it answers."""
import os
import re
import subprocess
import unittest

from test_serve import ROOT, Serve

MARK = "@@ end of command "


def commands():
	"""[(command, [what it must answer])] of every sh block."""
	with open(os.path.join(ROOT, "README.md")) as readme:
		blocks = re.findall(r"^```sh\n(.*?)^```$", readme.read(), re.M | re.S)
	found = []
	for line in "".join(blocks).splitlines():
		if line.startswith("#> "):
			found[-1][1].append(line[3:])
		else:
			found.append((line, []))
	return found


class Readme(Serve):
	def test_the_path_with_curl(self):
		self.start().until_served()
		found = commands()
		self.assertGreater(sum(len(expected) for _, expected in found), 15)
		own = {"at": f"http://127.0.0.1:{self.port}", "state": f"'{self.state}'"}
		script = ""
		for number, (line, _) in enumerate(found):
			name = line.split("=")[0]
			script += (f"{name}={own[name]}" if name in own else line) + f"\necho; echo '{MARK}{number}'\n"
		done = subprocess.run(["sh", "-eu", "-c", script], cwd=self.folder, capture_output=True, text=True, timeout=120,
		    env={"PATH": os.environ["PATH"]})
		self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
		answers = done.stdout.split(MARK)
		for number, (line, expected) in enumerate(found):
			answer = answers[number].split("\n", 1)[1] if number else answers[0]
			for text in expected:
				self.assertIn(text, answer, line)


if __name__ == "__main__":
	unittest.main()
