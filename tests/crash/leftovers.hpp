// What a crash may leave nowhere: secrets outside of their owner's folders, temporary files,
// sockets, mounts, control groups, processes, and anything at all in the places that a machine's
// programs share.
//
// The program has those places to itself (own_places), so what lies there is this town's. Belongs
// to the test's thread.
#pragma once

#include "orders.hpp"

namespace sp::crash {

/// Begins the program anew with folders of its own at /tmp, /var/tmp, /run and /dev/shm, and mounts
/// that nobody else changes; returns where it has them. A checkout that lies below one of those
/// folders stays where it is. Throws where the program isn't in the checkout and is hidden now.
void own_places(char** arguments);

class Leftovers {
 public:
  /// What is there already is nobody's leftover. Both must outlive this.
  Leftovers(hostile::Town& town, hostile::Shop& shop);

  /// What is left, in words; a group and a process may take `patience` to go.
  std::vector<std::string> find(std::chrono::seconds patience);

 private:
  void learn_secrets();
  void learn_daemon_keys();
  void look_at_files(std::vector<std::string>& found);
  void look_again(const std::vector<std::string>& temporary, std::vector<std::string>& found) const;
  void look_for_secrets(const std::filesystem::directory_entry& entry,
                        std::vector<std::string>& found);
  void look_at_places(std::vector<std::string>& found) const;
  [[nodiscard]] std::set<std::string> in_places() const;
  [[nodiscard]] std::vector<std::string> alive() const;
  [[nodiscard]] bool is_of_the_town(const Path& process) const;

  hostile::Town& town_;
  hostile::Shop& shop_;
  const std::string mounts_;
  const std::set<std::string> places_;
  std::map<std::string, std::string> own_keys_;  // of daemons: name of the secret to its file
  // Files that held no secret, as they were: no later secret is in them either.
  std::map<std::string, std::pair<std::filesystem::file_time_type, std::uintmax_t>> clean_;
};

}  // namespace sp::crash
