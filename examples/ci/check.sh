#!/bin/sh
# Checks profiles in any CI system: installs a caprun with a known checksum, reports
# mistakes and risks, and fails if a profile grants more than at the merge base.
#
# usage: check.sh PATH...
#
#   CAPRUN_URL     where your copy of an archive of a release is, for this processor
#   CAPRUN_SHA256  the checksum of the archive, from SHA256SUMS of a release that you
#                  verified: see SECURITY.md
#   CAPRUN_BASE    the branch or commit that the change is for, such as origin/main
#
# A change can also change this file and the variables: take both from the base branch
# if you check changes of people whom you do not trust.
#
# Exit status: 0 no findings, 1 findings or more privilege, 2 error.
set -u

fail() {
  echo "check.sh: $1" >&2
  exit 2
}

[ $# -gt 0 ] || fail "no paths; name files or directories with profiles"
[ -n "${CAPRUN_URL:-}" ] || fail "CAPRUN_URL is not set; set it to the URL of an archive of caprun"
[ -n "${CAPRUN_SHA256:-}" ] || fail "CAPRUN_SHA256 is not set; set it to the checksum of the archive"
[ -n "${CAPRUN_BASE:-}" ] || fail "CAPRUN_BASE is not set; set it to a branch or commit, such as origin/main"

# A shallow clone may lack the merge base.
base=$(git merge-base -- "$CAPRUN_BASE" HEAD) ||
  fail "no merge base of $CAPRUN_BASE and HEAD; fetch the branch and the whole history"

temp=$(mktemp -d) || exit 2
trap 'rm -rf "$temp"' EXIT
trap 'exit 2' HUP INT TERM

curl -fsSL --max-time 300 -o "$temp/archive" -- "$CAPRUN_URL" || fail "the download of CAPRUN_URL failed"
echo "$CAPRUN_SHA256  $temp/archive" | sha256sum --check --status --strict ||
  fail "the archive does not have the checksum CAPRUN_SHA256; compare both with SHA256SUMS of the release"
mkdir "$temp/files"
tar -xzf "$temp/archive" -C "$temp/files" --no-same-owner || fail "the archive cannot be extracted"
caprun=$(find "$temp/files" -type f -name caprun)
[ -x "$caprun" ] || fail "the archive does not contain one program caprun; set CAPRUN_URL to an archive for Linux"

status=0
"$caprun" check -format oneline -- "$@" || status=$?
"$caprun" diff -base "$base" -fail-on widen -- "$@" || {
  widened=$?
  [ "$status" -gt "$widened" ] || status=$widened
}
# Such as 126 for a program for another processor.
[ "$status" -le 2 ] || status=2
exit "$status"
