#!/bin/sh
# SPDX-License-Identifier: MIT
#
# install.sh [WEB-SPACE PRIVATE-FOLDER URL]: installs guardbee into a web space, or upgrades it there. Needs no root, no
# compiler, no package manager; asks for what is not given.
#
#	WEB-SPACE	the folder that URL shows, e.g. ~/public_html
#	PRIVATE-FOLDER	for the program, its settings and accounts: outside the web space, e.g. ~/guardbee
#	URL		of the web space, e.g. https://example.org
#
# Each file is written aside and renamed in: a request meets the old or the new one. Settings, accounts and files that are not
# ours stay as they are; of .htaccess only our own lines change.
set -eu
umask 077

here=$(CDPATH='' cd -- "${0%/*}" && pwd -P)
list=

fail() {
	echo "install.sh: $1" >&2
	exit 1
}

# A value of the command line, or an answer; $3 is taken for an empty one.
ask() {
	[ -z "$1" ] || { printf '%s\n' "$1"; return; }
	[ -t 0 ] || fail "usage: install.sh WEB-SPACE PRIVATE-FOLDER URL"
	printf '%s [%s]: ' "$2" "$3" >&2
	read -r answer
	printf '%s\n' "${answer:-$3}"
}

# The folder, made where it is missing, as it is called without links. Shell and Apache take it as it is.
folder() {
	mkdir -p -- "$1" || exit 1
	path=$(CDPATH='' cd -- "$1" && pwd -P)
	case $path in
	*[!A-Za-z0-9/._+@~-]*)	fail "$path: of letters, digits and ./_+@~- alone, please" ;;
	esac
	printf '%s\n' "$path"
}

is_ours() {
	[ -n "$list" ] && grep -qxF -- "$1" "$list"
}

# Standard input as a file of that mode, in one step.
place() {
	cat >"$2.guardbee-new"
	chmod "$1" "$2.guardbee-new"
	mv -f -- "$2.guardbee-new" "$2"
}

# Our lines first, because a rule of others might take our URLs, then what else stood there.
merge_htaccess() {
	cat "$here/public_html/.htaccess"
	[ ! -e "$web/.htaccess" ] || sed '/^# guardbee: begin/,/^# guardbee: end/d' "$web/.htaccess"
}

# Every file of the web space by its name in it.
web_files() {
	(cd "$here/public_html" && find . -type f ! -name .htaccess | sed 's|^\./||' | LC_ALL=C sort)
}

web=$(ask "${1:-}" 'the folder of the web site' "$HOME/public_html")
private=$(ask "${2:-}" 'a private folder outside of it' "$HOME/guardbee")
url=$(ask "${3:-}" 'the address of the web site' https://example.org)
url=${url%/}
case $url in
https://?* | http://?*)	;;
*)	fail "the address begins with https://" ;;
esac
case $url in
*[!A-Za-z0-9:/._~-]*)	fail "the address holds a character it must not" ;;
esac
[ -d "$web" ] || fail "$web is no folder"
web=$(folder "$web")
private=$(folder "$private")
case $private/ in
"$web"/*)	rmdir "$private" 2>/dev/null || :
	fail "$private lies in the web site: whoever asks could read it" ;;
esac
case $web/ in
"$private"/*)	fail "$web lies in the private folder" ;;
esac

chmod 700 "$private"
# what one that was interrupted has placed is ours too
[ ! -e "$private/installed.new" ] || cat "$private/installed.new" >>"$private/installed"
[ ! -e "$private/installed" ] || list=$private/installed
for file in $(web_files); do
	case $file in
	index.html | favicon.svg)	continue ;;
	esac
	[ ! -e "$web/$file" ] || is_ours "$file" || fail "$web/$file is there already and not ours: nothing was changed"
done

place 700 "$private/guardbee" <"$here/guardbee/guardbee"
if [ ! -e "$private/env" ]; then
	host=${url#*://}
	host=${host%%[/:]*}
	case $url in
	https:*)	cookies=on ;;
	*)	cookies=off ;;
	esac
	sed -e "s|^FRONTEND_URL=.*|FRONTEND_URL=$url|" -e "s|^MAIL_FROM=.*|MAIL_FROM=noreply@$host|" \
		-e "s|^COOKIE_MODE=.*|COOKIE_MODE=$cookies|" "$here/guardbee/env" | place 600 "$private/env"
fi
"$private/guardbee" config >/dev/null || fail "mend $private/env and start this again"

: >"$private/installed.new"
umask 022
for file in $(web_files); do
	if [ -e "$web/$file" ] && ! is_ours "$file"; then
		echo "kept: $web/$file"
		continue
	fi
	echo "$file" >>"$private/installed.new"
	mkdir -p -- "$web/$(dirname -- "$file")"
	if [ -x "$here/public_html/$file" ]; then
		sed -e 's|^exec [^ ]*|exec '"$private"'/guardbee|' -e '/^case/,/^esac/d' "$here/public_html/$file" | place 755 "$web/$file"
	else
		place 644 "$web/$file" <"$here/public_html/$file"
	fi
done
merge_htaccess | place 644 "$web/.htaccess"
mv -f "$private/installed.new" "$private/installed"

cat <<END
guardbee is in $web and $private.
	settings	$private/env
	accounts	$private/state
	an account	$private/guardbee user add bee@example.org bee
	look it over	$private/guardbee doctor $url
Now open $url/login
END
