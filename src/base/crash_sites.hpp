// The list of crash_point.hpp, one line a site: X(id, "name", kind, "programs", "what is done
// there, and what a restart makes of it"). The crash test fails for a site that no run passes.
#pragma once

#define SP_CRASH_SITES(X) \
  SP_PROVIDER_SITES(X)    \
  SP_LOADER_SITES(X)      \
  SP_BROKER_SITES(X)      \
  SP_STORE_SITES(X)       \
  SP_BUCKET_SITES(X) SP_INIT_SITES(X) SP_TRANSFER_SITES(X) SP_CLIENT_SITES(X)

// clang-format off
#define SP_PROVIDER_SITES(X)                                                                      \
  X(ledger_queued, "provider.ledger.queued", write, "provider",                                   \
    "An order is taken. Without the entry the follower hands it on again.")                       \
  X(ledger_running, "provider.ledger.running", write, "provider",                                 \
    "An order begins to run. It is run again: the same attempt, a new session.")                  \
  X(ledger_finished, "provider.ledger.finished", write, "provider",                               \
    "The loader's last word is kept. Without it the order is run again, with it settled.")        \
  X(ledger_settled, "provider.ledger.settled", write, "provider",                                 \
    "The settlement is in a block. Without the entry it is sent again, and the market takes one.")\
  X(ledger_failed, "provider.ledger.failed", write, "provider",                                   \
    "An order is given up. Without the entry it is looked at again.")                             \
  X(follower_cursor, "provider.cursor", write, "provider",                                        \
    "Blocks are read. Without the cursor they are read again; an order that is known is left.")   \
  X(provider_loader, "provider.loader", effect, "provider",                                       \
    "A loader is started. It dies with the provider; the restart sweeps its groups.")             \
  X(provider_relay, "provider.relay", effect, "provider",                                         \
    "A loader's call goes to a broker. The loader dies with the provider; another one calls.")    \
  X(provider_accept, "provider.accept", effect, "provider",                                       \
    "A session is accepted. The next loader makes a session of its own.")                         \
  X(transaction, "transaction", transaction, "provider spctl",                                    \
    "A transaction is sent. What the outbox holds is sent again, and the chain takes one.")       \
  X(transaction_outbox, "transaction.outbox", write, "provider",                                  \
    "A transaction is kept before it is sent. Without it the call is made anew.")                 \
  X(transaction_done, "transaction.done", effect, "provider",                                     \
    "A transaction that is final leaves the outbox. One that stays is looked for again.")         \
  X(upload, "upload", effect, "provider spctl",                                                   \
    "A blob is put into the store. It is put again: a blob is its digest.")                       \
  X(deletion, "deletion", effect, "spctl",                                                        \
    "The store is asked to delete a blob. It is asked again: what is gone is gone.")              \
  X(storage_receipt, "storage-receipt", effect, "provider",                                       \
    "The store is asked for its receipt. The next loader asks again.")

#define SP_LOADER_SITES(X)                                                                        \
  X(loader_attest, "loader.attest", effect, "loader",                                             \
    "The session is attested. Another loader makes another session.")                             \
  X(loader_release, "loader.release", effect, "loader",                                           \
    "A key is asked for. The session counts; another loader asks for itself.")                    \
  X(loader_workload, "loader.workload", effect, "loader",                                         \
    "The workload runs. Everything of it lies in memory and groups that go with the loader.")     \
  X(loader_result, "loader.result", effect, "loader",                                             \
    "The result is sealed and stored. Another loader stores its own; a package is never changed.")\
  X(loader_finish, "loader.finish", effect, "loader",                                             \
    "The receipt is handed to the relay. Before, another loader runs; after, it is settled.")

#define SP_BROKER_SITES(X)                                                                        \
  X(broker_secret, "broker.vault.secret", write, "broker",                                        \
    "A secret is deposited. Who had no answer deposits it again: the same file.")                 \
  X(broker_request, "broker.vault.request", write, "broker",                                      \
    "A key request is kept, before the key goes out. A session counts once.")                     \
  X(broker_checkpoint, "broker.checkpoint", write, "broker",                                      \
    "The newest block seen is kept. Without it the broker can be led back so far, and no further.")\
  X(broker_attest, "broker.attest", effect, "broker",                                             \
    "A session is attested. Nonces are forgotten: the session must begin anew.")                  \
  X(broker_release, "broker.release", effect, "broker",                                           \
    "A key goes out, sealed. The request is kept already: the owner can claim.")                  \
  X(collateral_entry, "broker.collateral", write, "broker",                                       \
    "What vendors publish is kept. Without it it is asked for again.")

#define SP_STORE_SITES(X)                                                                         \
  X(store_blob, "store.blob", write, "store",                                                     \
    "A blob is kept, whole or not at all. Who had no answer puts it again.")                      \
  X(store_owner, "store.owner", effect, "store",                                                  \
    "A blob is counted to its account. A record without its blob is void at the next start.")     \
  X(store_delete, "store.delete", effect, "store",                                                \
    "A blob goes, then its owner's record. Who had no answer deletes it again.")                  \
  X(store_owners, "store.owners", write, "store",                                                 \
    "The record of owners is written anew without what is void. The old one says the same.")      \
  X(store_promise, "store.promise", effect, "store",                                              \
    "A promise is kept before its receipt goes out. Without a receipt it binds the store alone.") \
  X(store_records, "store.records", effect, "store",                                              \
    "Records are brought to the disk. What a dead process had appended, the next start brings.")  \
  X(store_receipt, "store.receipt", effect, "store",                                              \
    "A storage receipt is signed, over blobs that are on the disk.")

#define SP_BUCKET_SITES(X)                                                                        \
  X(s3_put, "s3.put", effect, "store spctl",                                                      \
    "A blob is put into a bucket. It is put again: a blob is its digest.")                        \
  X(s3_begin, "s3.upload.begin", effect, "store",                                                 \
    "A large blob's upload begins. Who puts it again finds the upload and goes on with it.")      \
  X(s3_part, "s3.upload.part", effect, "store",                                                   \
    "A part is uploaded. Who puts the blob again asks which parts are there.")                    \
  X(s3_complete, "s3.upload.complete", effect, "store",                                           \
    "The parts become one object. Who puts the blob again finds it, or completes it.")            \
  X(s3_abort, "s3.upload.abort", effect, "store",                                                 \
    "An upload that can't go on is given up. What stays of it is gone on with.")                  \
  X(s3_delete, "s3.delete", effect, "store spctl",                                                \
    "A blob is deleted in a bucket. Who had no answer deletes it again.")

#define SP_INIT_SITES(X)                                                                          \
  X(init_secret, "spnode.init.secret", write, "spnode",                                           \
    "A secret file of a new daemon. It is whole, or the next `spnode init` makes another.")       \
  X(init_certificate_key, "spnode.init.certificate-key", write, "spnode",                         \
    "A certificate's key, before the certificate: without that both are made anew.")              \
  X(init_certificate, "spnode.init.certificate", write, "spnode",                                 \
    "A certificate. It is whole, or it is made anew with its key.")                               \
  X(init_settings, "spnode.init.settings", write, "spnode",                                       \
    "A new daemon's settings, and whom they trust. `spnode init` writes what they lack.")         \
  X(init_card, "spnode.init.card", write, "spnode",                                               \
    "A daemon's card. `spnode init` writes it each time.")

#define SP_TRANSFER_SITES(X)                                                                      \
  X(upload_begun, "spctl.upload.begun", effect, "spctl",                                          \
    "An upload's journal has its key. Without it the upload begins anew.")                        \
  X(upload_sealed, "spctl.upload.sealed", effect, "spctl",                                        \
    "A piece is noted before it is sealed. Sealed again it is the same.")                         \
  X(upload_done, "spctl.upload.done", effect, "spctl",                                            \
    "The journal goes. One that stays is gone on with, and nothing is left to do.")               \
  X(download_blob, "spctl.download.blob", effect, "spctl",                                        \
    "A blob is whole and takes its place. Before, its part is there, and checked again.")         \
  X(download_noted, "spctl.download.noted", effect, "spctl",                                      \
    "Where a package will be opened is noted. Opened again, it is noted again.")                  \
  X(download_opened, "spctl.download.opened", effect, "spctl",                                    \
    "A package is opened beside its place and renamed. The note says that it is done.")           \
  X(download_done, "spctl.download.done", effect, "spctl",                                        \
    "What a download kept goes, its note last. The same command removes what stays.")

#define SP_CLIENT_SITES(X)                                                                        \
  X(client_deposit, "spctl.deposit", effect, "spctl",                                             \
    "A secret is deposited with the broker. `orders resume` deposits it again.")                  \
  X(client_order, "spctl.order", write, "spctl",                                                  \
    "An order is kept before its create. `orders resume` goes on; without it nothing was paid.")   \
  X(client_created, "spctl.order.created", write, "spctl",                                        \
    "Where the order was created. Without it it is looked for on the chain.")                     \
  X(client_proof, "spctl.order.proof", write, "spctl",                                            \
    "The proof bundle is kept. It can be fetched again.")                                         \
  X(client_result, "spctl.result", effect, "spctl",                                               \
    "The result is opened beside its place and renamed. It is opened again.")                     \
  X(client_content_key, "spctl.content-key", write, "spctl",                                      \
    "The key of an upload is kept. Without it the package can't be opened: upload again.")        \
  X(client_output, "spctl.output", write, "spctl",                                                \
    "A file that the command line named. Run the command again.")                                 \
  X(client_password, "spctl.keys.password", write, "spctl",                                       \
    "The key ring's password. It is before the first key, or made again.")                        \
  X(client_result_key, "spctl.keys.result", write, "spctl",                                       \
    "A result key, before its account key: without that it is replaced.")                         \
  X(client_key, "spctl.keys.key", write, "spctl",                                                 \
    "An account key. It is whole, or `keys create` makes another.")                               \
  X(client_ports, "spctl.up.ports", write, "spctl",                                               \
    "The ports of a local system. Without the file others are taken.")                            \
  X(client_state, "spctl.up.state", write, "spctl",                                               \
    "A secret file of a daemon. It is whole, or the next `up` makes another.")                    \
  X(client_settings, "spctl.up.settings", write, "spctl",                                         \
    "A daemon's settings. The next `up` writes them, and starts the daemon again.")               \
  X(client_daemon, "spctl.up.daemon", effect, "spctl",                                            \
    "A daemon is started. Without a pid file it is found by its folder and environment.")         \
  X(client_pid, "spctl.up.pid", write, "spctl",                                                   \
    "A daemon's pid file. Without it the daemon is found by its folder and environment.")         \
  X(client_stopped, "spctl.down.pid", effect, "spctl",                                            \
    "A stopped daemon's pid file goes. One that stays names a process that isn't there.")         \
  X(client_deployment, "spctl.contracts.deployment", write, "spctl",                              \
    "A deployment's next step is kept before it is sent. The command run again goes on with it.")  \
  X(client_deployed, "spctl.contracts.done", effect, "spctl",                                     \
    "A deployment that is done is put away. One that stays is told again and deploys nothing.")   \
  X(client_network_ca, "spctl.network.ca", write, "spctl",                                        \
    "Certificates of a network, before network.json. `network create` writes both again.")        \
  X(client_network, "spctl.up.network", write, "spctl",                                           \
    "Where contracts and services are. Without it the contracts are deployed anew.")
// clang-format on
