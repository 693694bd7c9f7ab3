/* A host, a line of routers and a host in ns-3, told what to do line by line so that it takes its turn in each round.
 *
 *   ns3_chain ethernet|ppp ROUTERS      says "ready"
 *   run COUNT                           sends COUNT datagrams, one a microsecond, and says how many nanoseconds that took
 *                                       and how many arrived
 *
 * Checksums are made and checked (ns-3 does not by default). Of what ns-3 would install by itself, that takes time and is
 * not asked for, nothing is there: no IPv6, no queueing disciplines, and static routes, a handful, for a routing protocol. */
#include <chrono>
#include <iostream>
#include <string>

#include "ns3/arp-cache.h"
#include "ns3/core-module.h"
#include "ns3/csma-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"
#include "ns3/traffic-control-helper.h"

using namespace ns3;

static const uint16_t DISCARD = 9;
static const uint32_t PAYLOAD = 18;

static Ptr<Socket> source;
static Address goal;
static uint64_t arrived;
static uint64_t to_send;

static void Receive(Ptr<Socket> socket) {
  while (socket->Recv()) {
    arrived++;
  }
}

static void Send() {
  source->SendTo(Create<Packet>(PAYLOAD), 0, goal);
  if (--to_send > 0) {
    Simulator::Schedule(MicroSeconds(1), &Send);
  }
}

static uint64_t Run(uint64_t count) {
  to_send = count;
  arrived = 0;
  if (count > 0) {
    Simulator::Schedule(MicroSeconds(1), &Send);
  }
  Simulator::Stop(MicroSeconds(count) + MilliSeconds(100));
  auto began = std::chrono::steady_clock::now();
  Simulator::Run();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - began).count();
}

static NetDeviceContainer Cable(bool ethernet, Ptr<Node> left, Ptr<Node> right) {
  NodeContainer ends(left, right);
  if (ethernet) {
    CsmaHelper csma;
    csma.SetChannelAttribute("DataRate", DataRateValue(DataRate("400Gbps")));
    /* A wire is taken until the frame is out at its other end: a short one, so that nobody waits. */
    csma.SetChannelAttribute("Delay", TimeValue(NanoSeconds(100)));
    return csma.Install(ends);
  }
  PointToPointHelper cable;
  cable.SetDeviceAttribute("DataRate", DataRateValue(DataRate("400Gbps")));
  cable.SetChannelAttribute("Delay", TimeValue(MicroSeconds(20)));
  return cable.Install(ends);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    std::cerr << "usage: ns3_chain ethernet|ppp ROUTERS" << std::endl;
    return 2;
  }
  bool ethernet = std::string(argv[1]) == "ethernet";
  uint32_t routers = std::stoul(argv[2]);
  GlobalValue::Bind("ChecksumEnabled", BooleanValue(true));
  Config::SetDefault("ns3::Ipv4L3Protocol::DefaultTtl", UintegerValue(255));
  Config::SetDefault("ns3::ArpCache::AliveTimeout", TimeValue(Seconds(1e6)));
  NodeContainer nodes;
  nodes.Create(routers + 2);
  InternetStackHelper internet;
  internet.SetIpv6StackInstall(false);
  Ipv4StaticRoutingHelper routing;
  internet.SetRoutingHelper(routing);
  internet.Install(nodes);
  Ipv4AddressHelper addresses;
  addresses.SetBase("10.0.0.0", "255.255.255.252");
  for (uint32_t at = 0; at + 1 < nodes.GetN(); at++) {
    NetDeviceContainer ends = Cable(ethernet, nodes.Get(at), nodes.Get(at + 1));
    Ipv4InterfaceContainer given = addresses.Assign(ends);
    TrafficControlHelper().Uninstall(ends);
    addresses.NewNetwork();
    Ptr<Ipv4> near = nodes.Get(at)->GetObject<Ipv4>();
    routing.GetStaticRouting(near)->SetDefaultRoute(given.GetAddress(1), near->GetInterfaceForDevice(ends.Get(0)));
    if (at + 2 == nodes.GetN()) {
      goal = InetSocketAddress(given.GetAddress(1), DISCARD);
    }
  }
  TypeId udp = UdpSocketFactory::GetTypeId();
  source = Socket::CreateSocket(nodes.Get(0), udp);
  source->Bind();
  Ptr<Socket> sink = Socket::CreateSocket(nodes.Get(routers + 1), udp);
  sink->Bind(InetSocketAddress(Ipv4Address::GetAny(), DISCARD));
  sink->SetRecvCallback(MakeCallback(&Receive));
  Run(1); /* All neighbours are asked for. */
  std::cout << "ready" << std::endl;
  std::string word;
  uint64_t count;
  while (std::cin >> word >> count && word == "run") {
    uint64_t nanos = Run(count);
    std::cout << nanos << " " << arrived << std::endl;
  }
  Simulator::Destroy();
  return 0;
}
