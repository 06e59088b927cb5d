#include <websocketpp/config/core.hpp>
#include <websocketpp/server.hpp>
#include <websocketpp/processors/hybi13.hpp>
int main(){ websocketpp::server<websocketpp::config::core> s; }
