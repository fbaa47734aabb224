# SPDX-License-Identifier: MIT
"""
What an intruder inside a program can still do: plant.so acts in the real executables, at the moment of the answer. Each act that is refused there is done by the same program before it confined itself.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "http"))
from fastcgi import Worker  # noqa: E402
from harness import BUILD, KEY, PASSWORD, SETTINGS, Case, executable, executables, slurp, wait_until  # noqa: E402

PLANT = os.path.join(BUILD, "tests", "sandbox", "plant.so")
SANITIZED = "sanitize" in BUILD or "coverage" in BUILD
MAILING = ("change-email", "change-password", "forgot-password", "login", "refresh", "register", "reset-password", "verify-email")
OTHERS = tuple(name for name in executables() if name not in MAILING)


class Planted(unittest.TestCase):
	algorithm = "ES256"

	@classmethod
	def setUpClass(cls):
		cls.folder = tempfile.mkdtemp(prefix="gb")
		cls.addClassCleanup(shutil.rmtree, cls.folder)
		cls.state, cls.ring = os.path.join(cls.folder, "state"), os.path.join(cls.folder, "ring")
		os.mkdir(cls.state, 0o700)
		os.mkdir(cls.ring, 0o700)
		cls.clients = os.path.join(cls.folder, "clients", "list")
		os.mkdir(os.path.dirname(cls.clients))
		for path in (cls.clients, cls.folder + "/elsewhere"):
			with open(path, "w") as out:
				out.write("# nothing\n")
		cls.settings = {**SETTINGS, "STATE": cls.state, "FRONTEND_URL": "http://127.0.0.1", "JWT_KEYS_DIR": cls.ring,
		    "RATE_LIMITS": "on", "API_CLIENTS_FILE": cls.clients, "ALGORITHM": cls.algorithm}
		if cls.algorithm == "ES256":
			cls.settings["JWT_KEY"] = ""
		done = subprocess.run([BUILD + "/bin/guardbee", "key", "new"], env=cls.settings, capture_output=True, text=True, timeout=30)
		assert done.returncode == 0, done.stderr
		cls.key = os.path.join(cls.ring, "private", os.listdir(cls.ring + "/private")[0])
		# whom acts are tried on; while it is traced it takes no signal
		cls.victim = subprocess.Popen(["sh", "-c", "trap '' USR1; echo; exec sleep 600"], stdout=subprocess.PIPE)
		cls.addClassCleanup(lambda: (cls.victim.kill(), cls.victim.communicate()))
		cls.victim.stdout.readline()
		assert cls.run_program("login", [])[0] in (400, 401), "store and limits are made"
		with open(cls.state + "/slots.lock", "a"):
			os.chmod(cls.state + "/slots.lock", 0o600)

	@classmethod
	def run_program(cls, name, acts, early=False, without=None, cgi=False, **settings):
		"""(status, {act: what came of it}, log) of one request."""
		method = "GET" if name in ("verify", "me", "sessions", "jwks", "health", "page") else "POST"
		request = {"REQUEST_METHOD": method, "SCRIPT_NAME": "/login" if name == "page" else "/auth/" + name, "REMOTE_ADDR": "127.0.0.1"}
		environment = {**cls.settings, **settings, "LD_PRELOAD": PLANT, "PLANT": "\n".join(acts)}
		if early:
			environment["PLANT_EARLY"] = "1"
		if without:
			environment["WITHOUT"] = without
		status, log = (cls.run_cgi if cgi else cls.run_fastcgi)(name, environment, request)
		said = [line.split("\t") for line in log.splitlines() if line.startswith("plant\t")]
		return status, {act: result for _, act, result in said}, log

	@classmethod
	def run_cgi(cls, name, environment, request):
		done = subprocess.run([executable(name)], env={**environment, **request, "GATEWAY_INTERFACE": "CGI/1.1"}, stdin=subprocess.DEVNULL,
		    capture_output=True, text=True, timeout=30)
		assert done.stdout, f"{name}: {done.returncode} {done.stderr}"
		return int(done.stdout.split()[1]), done.stderr

	@classmethod
	def run_fastcgi(cls, name, environment, request):
		worker = Worker(name, environment)
		try:
			answer = worker.ask(request)
			return answer.status, worker.stderr() + answer.log
		finally:
			faults = worker.stop()
			assert not faults, faults

	def compare(self, name, refused=(), done=(), **more):
		"""Acts refused with their errno, and done ones, inside; all of them done before main."""
		acts = [*refused, *done]
		_, early, log = self.run_program(name, acts, early=True, **more)
		self.assertEqual(early, {act: "done" for act in acts}, f"{name}, before it confines itself: {log}")
		_, late, log = self.run_program(name, acts, **more)
		self.assertEqual(late, {**dict(refused), **{act: "done" for act in done}}, f"{name}: {log}")


@unittest.skipIf(SANITIZED, "such a build is not confined")
class Pairs(Planted):
	# --- every program

	def test_no_program_starts_another_speaks_to_a_network_or_looks_into_a_process(self):
		for name in executables():
			with self.subTest(name):
				self.compare(name, refused={"execve": "ENOSYS", "socket": "ENOSYS", "unix": "ENOSYS", f"ptrace {self.victim.pid}": "ENOSYS",
				    f"kill {self.victim.pid}": "ENOSYS", "namespace": "ENOSYS"} |
				    ({} if name in MAILING else {"fork": "ENOSYS"}))

	def test_only_a_program_that_mails_has_a_child(self):
		for name in MAILING:
			with self.subTest(name):
				self.compare(name, done=["fork"])

	def test_no_program_dumps_core_or_takes_descriptors_without_end(self):
		for name in executables():
			with self.subTest(name):
				_, late, log = self.run_program(name, ["core", "many"])
				self.assertEqual(late, {"core": "EFBIG", "many": "EMFILE"}, log)

	def test_plain_cgi_is_under_landlock_alone(self):
		"""It refuses the same but for sockets that connect nowhere, and what is not written down here."""
		for name in executables():
			if name != "health":
				with self.subTest(name):
					self.compare(name, refused={"execve": "EACCES", "read /etc/passwd": "EACCES", f"read {self.folder}/elsewhere": "EACCES",
					    f"ptrace {self.victim.pid}": "EPERM", f"kill {self.victim.pid}": "EPERM", f"write {self.key}": "EACCES"}, done=["socket"], cgi=True)
		self.compare("verify", refused={f"read {self.key}": "EACCES", f"write {self.state}/rate.tab": "EACCES"}, cgi=True)

	def test_plain_cgi_is_under_seccomp_where_there_is_no_landlock(self):
		self.compare("verify", refused={"execve": "ENOSYS", "socket": "ENOSYS"}, done=["read /etc/passwd"], cgi=True, without="landlock")
		self.compare("health", refused={"execve": "ENOSYS", "socket": "ENOSYS"}, done=["read /etc/passwd"], cgi=True)

	def test_no_program_signals_others(self):
		self.compare("verify", refused={f"tgkill {self.victim.pid}": "EPERM"})
		self.compare("login", refused={f"tgkill {self.victim.pid}": "EPERM"})

	# --- files

	def test_no_program_but_health_opens_a_file_of_others(self):
		passwd, elsewhere = "read /etc/passwd", f"read {self.folder}/elsewhere"
		for name in executables():
			with self.subTest(name):
				if name == "health":
					self.compare(name, done=[passwd, elsewhere])
				else:
					self.compare(name, refused={passwd: "EACCES", elsewhere: "EACCES", f"write {self.folder}/elsewhere": "EACCES",
					    f"list {self.folder}": "EACCES", f"read /proc/{self.victim.pid}/environ": "EACCES"})

	def test_who_does_not_sign_reads_no_private_key(self):
		private, public = f"read {self.key}", f"read {self.key.replace('/private/', '/public/')}"
		for name in ("delete-account", "jwks", "me", "page", "sessions", "verify"):
			with self.subTest(name):
				self.compare(name, refused={private: "EACCES", f"list {self.ring}/private": "EACCES"}, done=[public])
		for name in ("introspect", "login", "logout", "revoke"):
			with self.subTest(name):
				self.compare(name, done=[private, public])

	def test_nobody_writes_keys(self):
		for name in executables():
			if name != "health":
				with self.subTest(name):
					self.compare(name, refused={f"write {self.key}": "EACCES"})

	def test_verify_writes_nothing_but_the_store(self):
		fresh = f"create {self.state}/x{{}}"
		for name in ("logout", "me", "page", "revoke", "sessions", "verify"):
			with self.subTest(name):
				_, late, log = self.run_program(name, [fresh.format(1), f"create {self.state}/spool/x", f"write {self.state}/secret",
				    f"write {self.state}/rate.tab", f"write {self.state}/slots.lock", f"rename {self.state}/secret {self.state}/store/x",
				    f"remove {self.state}/secret", f"write {self.state}/store/store.log", f"read {self.state}/store/store.gdbm"])
				self.assertEqual(list(late.values()), ["EACCES"] * 7 + ["done"] * 2, log)
		self.compare("verify", refused={f"write {self.state}/rate.tab": "EACCES"}, done=[f"write {self.state}/store/store.log"])

	def test_jwks_opens_no_store(self):
		self.compare("jwks", refused={f"read {self.state}/store/store.gdbm": "EACCES", f"write {self.state}/store/store.gdbm": "EACCES"})

	def test_who_checks_passwords_counts_them(self):
		counters = [f"write {self.state}/rate.tab", f"write {self.state}/slots.lock"]
		for name in ("delete-account", "introspect"):
			with self.subTest(name):
				self.compare(name, refused={f"write {self.state}/secret": "EACCES"}, done=counters)

	def test_only_introspect_reads_the_callers(self):
		self.compare("introspect", done=[f"read {self.clients}"])
		self.compare("revoke", refused={f"read {self.clients}": "EACCES"})

	# --- what is left open, and kernels that cannot

	def test_smtp_leaves_a_network_and_nothing_to_write(self):
		smtp = {"MAIL_TRANSPORT": "smtp", "SMTP_HOST": "localhost", "MAIL_FROM": "noreply@example.org"}
		self.compare("login", refused={"execve": "ENOSYS", f"read {self.folder}/elsewhere": "EACCES", f"ptrace {self.victim.pid}": "ENOSYS"},
		    done=["socket", "read /etc/passwd"], **smtp)
		self.compare("verify", refused={"socket": "ENOSYS", "read /etc/passwd": "EACCES"}, **smtp)

	def test_sendmail_keeps_its_privileges_and_the_others_do_not(self):
		sendmail = {"MAIL_TRANSPORT": "sendmail", "MAIL_FROM": "noreply@example.org"}
		self.compare("login", done=["execve", "privileges"], **sendmail)
		self.compare("verify", refused={"execve": "ENOSYS"}, **sendmail)

	def test_without_landlock_calls_are_still_refused(self):
		self.compare("verify", refused={"execve": "ENOSYS", "socket": "ENOSYS"}, done=["read /etc/passwd"], without="landlock")

	def test_without_seccomp_files_are_still_refused(self):
		self.compare("verify", refused={"read /etc/passwd": "EACCES"}, done=["socket"], without="seccomp")

	def test_without_both_it_serves(self):
		for name in executables():
			with self.subTest(name):
				confined, _, _ = self.run_program(name, [])
				status, late, log = self.run_program(name, ["socket"], without="landlock seccomp")
				self.assertEqual((status, late), (confined, {"socket": "done"}), log)

	def test_code_is_not_made(self):
		self.compare("verify", refused={"code": "ENOSYS"}, JWT_KEYS_DIR="", ALGORITHM="HS256", JWT_KEY=KEY)


@unittest.skipIf(SANITIZED, "such a build is not confined")
class Secrets(Planted):
	"""A ring of secrets: whoever verifies must read them."""
	algorithm = "HS256"

	def test_they_are_read_and_not_written(self):
		for name in ("verify", "me", "login"):
			self.compare(name, done=[f"read {self.key}"])
		self.compare("verify", refused={f"write {self.key}": "EACCES"})


@unittest.skipIf(SANITIZED, "such a build is not confined")
class Running(Case):
	"""Under a web server."""
	settings = {"DATABASE_URL": "gdbm:{d}/store"}

	def status_of(self, pid):
		return dict(line.split(":\t", 1) for line in slurp(f"/proc/{pid}/status").decode().splitlines() if ":\t" in line)

	def test_every_process_is_under_the_filter(self):
		for name in executables():
			for pid in self.server.children(name):
				status = self.status_of(pid)
				self.assertEqual((status["Seccomp"], status["NoNewPrivs"]), ("2", "1"), name)
				self.assertIn("Max core file size        0                    0 ", slurp(f"/proc/{pid}/limits").decode(), name)

	def test_a_restored_store_costs_a_process_one_answer(self):
		"""The store that took the place is another directory, which a confined process may not open."""
		token = self.register()["access_token"]
		self.expect(self.me(token), 200)
		before = set(self.server.children("verify"))
		done = self.server.command("store", "backup", self.server.directory + "/copy")
		self.assertEqual(done.returncode, 0, done.stderr)
		done = self.server.command("store", "restore", "--keep-sessions", self.server.directory + "/copy")
		self.assertEqual(done.returncode, 0, done.stderr)
		statuses = set()

		def alive():
			statuses.add(self.get("/auth/verify", bearer=token).status)
			return set(self.server.children("verify")) - before and self.get("/auth/verify", bearer=token).status == 403
		self.assertTrue(wait_until(alive), "a process came anew, and opens what is there now")
		self.assertLessEqual(statuses, {403, 503}, "403: the address is not verified")
		self.assertIn("this process ends", self.server.logs())
		self.assertTrue(wait_until(lambda: self.me(token).status == 200))
		self.assertEqual(self.expect(self.get("/auth/health"), 200).json()["status"], "ok")


@unittest.skipIf(SANITIZED, "such a build is not confined")
class Lacking(Case):
	"""A kernel that has neither, as the log tells it; and all of it served."""
	settings = {"LD_PRELOAD": PLANT, "WITHOUT": "landlock seccomp"}

	def test_it_is_said_once_by_each_process(self):
		for _ in range(6):
			self.get("/auth/verify")
		def said():
			return [line for line in self.server.logs().splitlines() if "guardbee verify: files are not confined" in line]
		processes = len(self.server.children("verify"))
		self.assertTrue(wait_until(lambda: len(said()) >= processes))	# one may still be starting
		lines = said()
		self.assertEqual(len(lines), processes)
		self.assertIn("Landlock: Function not implemented; system calls are not confined: seccomp: Function not implemented", lines[0])
		self.register()


if __name__ == "__main__":
	unittest.main()
