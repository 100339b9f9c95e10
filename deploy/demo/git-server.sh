#!/bin/sh
# A git server over ssh for deploy/demo/compose.yml. It makes a key for the workers, and the list of hosts by which they
# know it, in the volume /ssh.
set -eu

if [ ! -e /ssh/id_ed25519 ]; then
  ssh-keygen -q -t ed25519 -N '' -C demo -f /ssh/host_key
  echo "git $(cut -d ' ' -f 1,2 /ssh/host_key.pub)" >/ssh/known_hosts
  ssh-keygen -q -t ed25519 -N '' -C demo -f /ssh/key
  chown 10001:10001 /ssh/key
  mv /ssh/key /ssh/id_ed25519
fi
install -d -m 700 -o git -g git /home/git/.ssh
install -m 600 -o git -g git /ssh/key.pub /home/git/.ssh/authorized_keys
if [ ! -e /home/git/demo.git ]; then
  git init --quiet --bare --initial-branch=main /home/git/demo.git
  chown -R git:git /home/git/demo.git
fi
# A locked password would keep the user out with a key, too.
usermod --password '*' git
exec /usr/sbin/sshd -D -e -h /ssh/host_key -o PasswordAuthentication=no -o AllowUsers=git
