# What the profile of nginx requires. Run it as root, in this directory.
set -eu
install -m 0644 web.conf /etc/nginx/web.conf
install -d -m 0750 -o www-data -g www-data /var/lib/nginx-web
install -d -m 0755 /srv/web
echo 'hello from nginx' | install -m 0644 /dev/stdin /srv/web/index.html
