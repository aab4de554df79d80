# What the profile of redis requires. Run it as root, in this directory.
set -eu
install -m 0640 -g redis cache.conf /etc/redis/cache.conf
install -d -m 0750 -o redis -g redis /var/lib/redis-cache
