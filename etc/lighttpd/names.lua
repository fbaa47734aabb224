-- SPDX-License-Identifier: MIT
--
-- For an application behind lighttpd's mod_proxy and the gate: what the gate has said of a visitor, as headers of the
-- request. It runs before the gate is asked, when nothing is known and what a client sent is taken off, and again after it.
local names = { User = "REMOTE_USER", ["User-Id"] = "AUTH_USER_ID", Session = "AUTH_SESSION", Groups = "AUTH_GROUPS" }
local r = lighty.r

for header in pairs(r.req_header) do
	if header:gsub("_", "-"):lower():find("^x%-auth%-") then
		r.req_header[header] = nil
	end
end
for header, variable in pairs(names) do
	r.req_header["X-Auth-" .. header] = r.req_env[variable]
end
