# Programs that talk over TCP and UDP: who hears whom, what is said of it, and the segments that go by.
ip netns add a; ip netns add b
ip link add va netns a address 02:00:00:00:01:01 type veth peer name vb address 02:00:00:00:01:02 netns b
for n in a b; do ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1; ip -n $n link set lo up; done
ip -n a addr add 10.1.0.1/24 dev va; ip -n b addr add 10.1.0.2/24 dev vb; ip -n a link set va up; ip -n b link set vb up; sleep 1.2
ip -n a neigh replace 10.1.0.2 lladdr 02:00:00:00:01:02 dev va nud permanent; ip -n b neigh replace 10.1.0.1 lladdr 02:00:00:00:01:01 dev vb nud permanent
a(){ ip netns exec a "$@"; }
serve(){ ip netns exec b timeout 6 "$@" & sleep 0.4; }
over(){ wait $!; echo "server=$?"; }
a nc -nzv 10.1.0.2 80; echo "rc=$?"; a nc -zv 10.1.0.2 79-81; echo "rc=$?"
serve nc -n -l 80 </dev/null; echo hello | a nc -n -N -v 10.1.0.2 80; echo "rc=$?"; over
serve nc -n -l -k 80 >/dev/null </dev/null; a nc -nz 10.1.0.2 80; echo "rc=$?"; a nc -zv 10.1.0.2 http; echo "rc=$?"; echo x | a nc -n -w 1 10.1.0.2 80; echo "rc=$?"; echo x | a nc -n -q 1 10.1.0.2 80; echo "rc=$?"; over
(echo one; sleep 0.3; echo two) | ip netns exec b nc -n -l -N 80 & sleep 0.4; a nc -n -d 10.1.0.2 80; echo "rc=$?"; wait
serve nc -n -u -l 53 </dev/null; echo udp | a nc -n -u -p 4000 -w 1 10.1.0.2 53; echo "rc=$?"; a nc -n -u -z -v -p 4001 10.1.0.2 53; echo "rc=$?"; over
a nc -n -u -z 10.1.0.2 54; echo "rc=$?"
a nc -n -z -v -w 1 10.1.0.9 80; echo "rc=$?"; a nc -n -z -v 10.9.0.1 80; echo "rc=$?"
page(){ printf 'HTTP/1.1 %s\r\nContent-Length: 6\r\n\r\nhello\n' "$1" | ip netns exec b nc -n -l -N 80 >/dev/null & sleep 0.4; }
page '200 OK'; a curl -s -i http://10.1.0.2/; echo "rc=$?"; wait
page '200 OK'; a curl -s -v -m 3 -H 'X-Own: 1' -o page http://10.1.0.2/x?y; echo "rc=$?"; cat page; wait
page '404 Not Found'; a curl -s -S -f http://10.1.0.2/; echo "rc=$?"; wait
page '503 Busy'; a curl -s -o /dev/null -w '%{http_code} %{size_download} %{remote_ip} %{num_connects} %{url_effective}\n' -d a=b http://10.1.0.2; echo "rc=$?"; wait
echo hello | ip netns exec b nc -n -l -N 80 >/dev/null & sleep 0.4; a curl -s -S http://10.1.0.2/; echo "rc=$?"; wait
a curl -s http://10.1.0.2/; echo "rc=$?"; a curl -s -S -m 1 http://10.1.0.7/; echo "rc=$?"
mkdir www www/sub; echo text > www/a.txt; echo page > www/sub/index.html
ip netns exec b timeout 6 python3 -m http.server 8000 -d www >/dev/null 2>&1 & sleep 3
a curl -s http://10.1.0.2:8000/; a curl -s http://10.1.0.2:8000/a.txt; a curl -s -L http://10.1.0.2:8000/sub; a curl -s -o /dev/null -w '%{http_code}\n' http://10.1.0.2:8000/nope; over
