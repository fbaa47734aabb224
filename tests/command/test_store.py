# SPDX-License-Identifier: MIT
"""guardbee store: what check, stats and backup say, and that a restore takes nothing's place before it is verified."""
import os
import re
import shutil
import stat

from test_command import UNAVAILABLE, Command


SHA = "{SHA}PNkSNISRUV6ky3XczAWMJ/tqJdA="


class Store(Command):
	def setUp(self):
		super().setUp()
		self.settings["NOTICE_MAILS"] = "off"
		self.file = os.path.join(self.folder, "backup")
		self.store = os.path.join(self.state, "store")
		self.add("bee@example.org")

	def people(self):
		return sorted(user["email"] for user in self.json("user", "list"))

	def flip(self, path, at):
		with open(path, "r+b") as file:
			file.seek(at)
			byte = file.read(1)[0]
			file.seek(at)
			file.write(bytes([byte ^ 1]))

	def folders(self):
		return sorted(name for name in os.listdir(self.state) if name.startswith("store"))

	def test_check_counts_what_is_there_and_names_a_damaged_page(self):
		before = self.json("store", "check")
		self.add("wasp@example.org")
		found = self.json("store", "check")
		self.assertEqual(found["live_records"], 2 * before["live_records"], "a user and his address each")
		self.assertEqual(found["file_bytes"], os.stat(os.path.join(self.store, "store.gdbm")).st_size)
		self.flip(os.path.join(self.store, "store.gdbm"), found["file_bytes"] - 4096 + 100)
		done = self.run_it("store", "check", code=UNAVAILABLE)
		self.assertRegex(done.stderr, r"^guardbee: .*page %d is damaged" % (found["file_bytes"] // 4096 - 1))
		self.assertEqual(done.stdout, "")

	def test_stats_count_commits(self):
		before = self.json("store", "stats")
		self.add("wasp@example.org")
		after = self.json("store", "stats")
		self.assertEqual(after["commits"], before["commits"] + 1)
		self.assertGreater(after["log_used_bytes"], before["log_used_bytes"])
		self.assertEqual(after["db_bytes"], os.stat(os.path.join(self.store, "store.gdbm")).st_size)
		self.assertEqual(after["recoveries"], before["recoveries"])
		os.unlink(os.path.join(self.store, "store.control"))
		self.assertGreater(self.json("store", "stats")["recoveries"], 0)

	def test_a_backup_is_new_and_its_owners_alone(self):
		old = os.umask(0)
		self.addCleanup(os.umask, old)
		self.run_it("store", "backup", self.file)
		self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o600)
		self.refused(f"{self.file}: File exists", "store", "backup", self.file)
		self.refused(f"{self.folder}/none/backup: No such file or directory", "store", "backup", f"{self.folder}/none/backup", code=UNAVAILABLE)

	def test_a_restore_brings_back_and_keeps_what_was_there(self):
		self.run_it("store", "backup", self.file)
		self.add("wasp@example.org")
		said = self.run_it("store", "restore", self.file).stdout
		self.assertEqual(self.people(), ["bee@example.org"])
		self.assertRegex(said, r"(?m)^live_records +\d+$")
		aside = re.search(r"(?m)^the store that was there is kept: (.+)$", said)[1]
		self.settings["DATABASE_URL"] = "gdbm:" + aside
		self.assertEqual(self.people(), ["bee@example.org", "wasp@example.org"])

	def test_a_restore_of_what_is_damaged_changes_nothing(self):
		"""Each file that is wrong, and last the control: the same one, whole."""
		self.run_it("store", "backup", self.file)
		self.add("wasp@example.org")
		size, before = os.stat(self.file).st_size, self.folders()
		with open(self.file, "rb") as file:
			whole = file.read()
		wrong = {"its checksum is wrong": bytes([*whole[:size - 100], whole[size - 100] ^ 1, *whole[size - 99:]]), "cut off": whole[:-4096],
		    "not a backup": b"x" * size, "made by a newer guardbee": whole[:8] + b"\xff" + whole[9:]}
		for word, text in wrong.items():
			with self.subTest(word):
				with open(self.file, "wb") as file:
					file.write(text)
				done = self.run_it("store", "restore", self.file, code=UNAVAILABLE)
				self.assertIn(word, done.stderr)
				self.assertEqual(self.people(), ["bee@example.org", "wasp@example.org"])
				self.assertEqual(self.folders(), before)
		with open(self.file, "wb") as file:
			file.write(whole)
		self.run_it("store", "restore", self.file)
		self.assertEqual(self.people(), ["bee@example.org"])

	def test_a_restore_makes_a_store_where_there_is_none(self):
		self.run_it("store", "backup", self.file)
		self.settings["DATABASE_URL"] = f"gdbm:{self.folder}/elsewhere"
		done = self.run_it("store", "restore", self.file)
		self.assertNotIn("kept", done.stdout)
		self.assertEqual(self.people(), ["bee@example.org"])

	def test_progress_on_a_terminal_only(self):
		"""Of check every 1,024 pages; nothing of it is left on the line."""
		self.run_it("user", "import", input="".join(f'{{"email": "bee{n}@example.net", "hash": "{SHA}"}}\n' for n in range(6000)))
		for words in (("backup", self.file), ("check",), ("restore", self.file)):
			with self.subTest(words[0]):
				self.assertEqual(self.run_it("store", *words).stderr, "")
		os.unlink(self.file)
		for folder in self.folders():
			if folder != "store":
				shutil.rmtree(os.path.join(self.state, folder))
		for words in (("backup", self.file), ("check",), ("restore", self.file)):
			with self.subTest(words[0]):
				self.assertRegex(self.shown_on_terminal("store", *words), rb"^(\r[ \d]{3} %)+\r {5}\r$")

	def test_only_the_embedded_store_has_them(self):
		self.settings["DATABASE_URL"] = "mysql://bee:bee@127.0.0.1/bee"
		for words in (("check",), ("stats",), ("backup", self.file), ("restore", self.file)):
			self.refused("DATABASE_URL names no embedded store (gdbm:)", "store", *words)


del Command
