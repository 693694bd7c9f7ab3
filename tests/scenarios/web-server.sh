# A web server and those who ask it: pages, headers, folders, what is not there, who does not answer; and what the server wrote.
for n in srv cli; do ip netns add $n; ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1; ip -n $n link set lo up; done
ip link add s netns srv type veth peer name c netns cli
ip -n srv addr add 10.9.0.1/24 dev s; ip -n cli addr add 10.9.0.2/24 dev c; ip -n srv link set s up; ip -n cli link set c up; sleep 0.4
mkdir -p www/sub; echo '<h1>hi</h1>' > www/index.html; echo data > www/f.txt; head -c 100000 /dev/zero > www/big; echo in > www/sub/x; cd www
ip netns exec srv python3 -u -m http.server 8000 > ../log 2>&1 & server=$!
sleep 2
c() { echo "$ $*"; ip netns exec cli "$@"; echo "rc=$?"; }
c curl -s http://10.9.0.1:8000/; c curl -sI http://10.9.0.1:8000/f.txt; c curl -i -s http://10.9.0.1:8000/f.txt
c curl -s -o /dev/null -w '%{http_code} %{size_download}\n' http://10.9.0.1:8000/nope; c curl -s http://10.9.0.1:8000/sub/
c curl -s -o ../big -w '%{http_code} %{size_download}\n' http://10.9.0.1:8000/big; cmp big ../big
c curl -s -d a=b -o /dev/null -w '%{http_code}\n' http://10.9.0.1:8000/f.txt
c wget -qO- http://10.9.0.1:8000/f.txt
ip netns exec srv ss -tln; ip netns exec srv ss -tlnp; ip netns exec srv netstat -tln
c curl http://10.9.0.1:9/; c curl -m 1 http://10.9.0.77/; c curl -sS --connect-timeout 1 http://10.9.0.78/; c curl -sS ftp.nowhere
kill $server; wait; cat ../log
c curl -sS http://10.9.0.1:8000/
