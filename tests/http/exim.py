# SPDX-License-Identifier: MIT
"""
Debian's Exim as a mail server on loopback: its own configuration, spool, log and ports, nothing of the system's.

	find()		the program, or None where no Exim is installed

What it does with a message is told by switches, files that its configuration asks for at every connection:

	plain		STARTTLS is not offered
	other-name	the certificate is one for another host
	members		MAIL only after AUTH, as bee with honey
	slow		the greeting comes after 8 s
	later		RCPT gets a 451
	full		the message gets a 451 after its data
	spam		the message gets a 550 after its data
and to nobody@ nothing can be sent.
"""
import os
import pwd
import shutil
import signal
import subprocess
import time

from harness import free_port, mentions, processes, slurp, wait_until

CONFIGURATION = """
primary_hostname = mx.example.org
exim_user = {user}
exim_group = {group}
never_users =
deliver_drop_privilege = true
spool_directory = {d}/spool
log_file_path = {d}/%s.log
pid_file_path = {d}/pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {ports}
tls_on_connect_ports = 465
tls_advertise_hosts = ${{if exists{{{d}/plain}}{{}}{{*}}}}
tls_certificate = {certificates}/${{if exists{{{d}/other-name}}{{other}}{{good}}}}.pem
auth_advertise_hosts = ${{if def:tls_in_cipher{{*}}{{}}}}
smtp_accept_max = 50
acl_smtp_connect = connect
acl_smtp_mail = mail
acl_smtp_rcpt = rcpt
acl_smtp_data = data
host_lookup =
rfc1413_query_timeout = 0s
log_selector = +tls_cipher
keep_environment =

begin acl
connect:
	accept	condition = ${{if exists{{{d}/slow}}}}
		delay = 8s
	accept
mail:
	deny	condition = ${{if exists{{{d}/members}}}}
		!authenticated = *
		message = 5.7.0 members only
	accept
rcpt:
	deny	local_parts = nobody
		message = 5.1.1 no such user $local_part@$domain
	defer	condition = ${{if exists{{{d}/later}}}}
		message = 4.7.1 greylisted, try later
	accept
data:
	defer	condition = ${{if exists{{{d}/full}}}}
		message = 4.3.1 disk full
	deny	condition = ${{if exists{{{d}/spam}}}}
		message = 5.7.1 looks like spam
	accept

begin routers
all:
	driver = accept
	transport = folder

begin transports
folder:
	driver = appendfile
	file = {d}/mail/$message_exim_id
	create_directory = false
	message_prefix =
	message_suffix =
	envelope_to_add
	return_path_add
	headers_add = X-Login: $authenticated_id\\nX-TLS: $received_protocol
	user = {user}
	group = {group}

begin retry
* * F,1h,1s

begin authenticators
plain:
	driver = plaintext
	public_name = PLAIN
	server_prompts = :
	server_condition = ${{if and{{{{eq{{$auth2}}{{bee}}}}{{eq{{$auth3}}{{honey}}}}}}}}
	server_set_id = $auth2
"""


def find():
	return shutil.which("exim4", path=os.environ.get("PATH", "") + ":/usr/sbin") or shutil.which("exim", path="/usr/sbin")


def owner():
	"""Root's Exim gives its rights up for the user of the package; anybody else's works as whoever started it."""
	if os.getuid() != 0:
		return pwd.getpwuid(os.getuid())
	for name in ("Debian-exim", "exim", "mail"):
		try:
			return pwd.getpwnam(name)
		except KeyError:
			pass
	raise RuntimeError("Exim has no user here")


class Exim:
	"""
	folder		ours to fill; the certificates' may be anywhere
	tls_too		also listens on port 465, TLS from the first byte
	"""
	def __init__(self, folder, certificates, tls_too=False):
		user = owner()
		self.folder, self.port, self.process = folder, free_port(), None
		os.makedirs(os.path.join(folder, "mail"))
		self.path = os.path.join(folder, "exim.conf")
		with open(self.path, "w") as out:
			out.write(CONFIGURATION.format(d=folder, user=user.pw_uid, group=user.pw_gid, certificates=certificates,
			    ports=f"{self.port} : 465" if tls_too else self.port))
		for path in (folder, os.path.join(folder, "mail")):
			os.chown(path, user.pw_uid, user.pw_gid)
		self.start()

	def start(self):
		with open(os.path.join(self.folder, "stderr"), "ab") as errors:
			self.process = subprocess.Popen([find(), "-C", self.path, "-bdf"], stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)
		if not wait_until(self.listens, 20):
			self.stop()
			raise RuntimeError("Exim does not start: " + self.log())

	def listens(self):
		return self.process.poll() is None and " daemon started: pid=" in self.log().rsplit("stopped", 1)[-1]

	def stop(self):
		"""Ends it with the deliveries that it started."""
		if self.process is None:
			return
		self.process.send_signal(signal.SIGTERM)
		self.process.wait(20)
		self.process = None
		with open(os.path.join(self.folder, "main.log"), "a") as log:
			log.write("stopped\n")
		wait_until(lambda: not any(mentions(pid, self.path.encode()) for pid in processes()), 30)

	def log(self):
		text = ""
		for name in ("stderr", "main.log", "panic.log"):
			path = os.path.join(self.folder, name)
			text += slurp(path).decode(errors="replace") if os.path.exists(path) else ""
		return text

	def switch(self, name, on=True):
		path = os.path.join(self.folder, name)
		if on:
			open(path, "w").close()
		elif os.path.exists(path):
			os.unlink(path)

	def messages(self, count):
		"""All that were delivered, once there are so many."""
		folder = os.path.join(self.folder, "mail")
		wait_until(lambda: self.log().count(" Completed\n") >= count, 20)
		return [slurp(os.path.join(folder, name)) for name in sorted(os.listdir(folder))]
