# What the profile of postgresql requires. Run it as root, in this directory, after the
# profile is installed: caprun starts initdb as the same user.
set -eu
install -d -m 0700 -o postgres -g postgres /var/lib/postgresql/caprun
caprun -profile postgresql -- /usr/lib/postgresql/15/bin/initdb -D /var/lib/postgresql/caprun \
    --auth-local=peer --auth-host=scram-sha-256
cat server.conf >> /var/lib/postgresql/caprun/postgresql.conf
