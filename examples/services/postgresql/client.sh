# Writes and reads a table, as the user postgres through the local socket. The session
# stays open until the standard input ends.
set -eu
caprun -profile postgresql -- /usr/lib/postgresql/15/bin/psql \
    -h /var/lib/postgresql/caprun -X -q -t -A -v ON_ERROR_STOP=1 \
    -c 'create table notes (note text)' \
    -c "insert into notes values ('works')" \
    -c 'select note from notes' \
    -c '\! cat'
