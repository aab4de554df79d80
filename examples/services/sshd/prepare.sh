# What the profile of sshd requires. Run it as root, in this directory. Leave out the
# last part where users log in already.
set -eu
install -m 0644 sshd_caprun.conf /etc/ssh/sshd_caprun.conf
install -d -m 0755 /run/sshd
test -e /etc/ssh/caprun_host_key || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/caprun_host_key

useradd --create-home --password "*" --shell /bin/sh visitor
install -d -m 0700 /var/lib/visitor
ssh-keygen -q -t ed25519 -N '' -f /var/lib/visitor/key
install -d -m 0700 -o visitor -g visitor /home/visitor/.ssh
install -m 0600 -o visitor -g visitor /var/lib/visitor/key.pub /home/visitor/.ssh/authorized_keys
