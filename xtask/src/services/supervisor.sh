# Outlives whoever started it, and cleans up after them. `$1` is their folder, `$2` the
# signal that ends their server.
#
# Standard input says which server runs: its process id on a line, or an empty line once
# it has been stopped. The end of input is the end of the starter, however that came about.
trap '' HUP INT TERM
server=
while read -r line; do server=$line; done
if [ -n "$server" ]; then
    kill "-$2" "$server"
    tries=0
    while kill -0 "$server" && [ "$tries" -lt 100 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    kill -KILL "$server"
fi
rm -rf "$1"
