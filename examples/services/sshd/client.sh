# Fails to log in, and logs in twice: with a terminal, and for one command. The last
# session stays open until the standard input ends.
set -eu
login() {
    ssh -F none -i /var/lib/visitor/key -o BatchMode=yes -o StrictHostKeyChecking=accept-new \
        -o UserKnownHostsFile=/var/lib/visitor/hosts "$@"
}
if login nobody@127.0.0.1 true; then exit 1; fi
login -tt visitor@127.0.0.1 'test -t 0 && test -O /dev/stdin' </dev/null
login visitor@127.0.0.1 'id -un | grep -qx visitor && echo works; read -r line || true'
