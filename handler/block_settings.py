"""What can be set about a block handler, with its defaults and the reasons for them."""

from dataclasses import dataclass

from packetcrypt.client.pktd import PktdSettings
from packetcrypt.handler.settings import HandlerSettings


@dataclass(frozen=True, kw_only=True)
class BlockHandlerSettings(HandlerSettings):
    """One block handler: the table `[block_handler.NAME]` of pool.toml.

    pktd            : the table `[pktd]`, which all services of the pool share
    input_queue_len : shares that are judged or wait for it; one more is answered `overloaded`. A
                      pool with the usual divisors gets about 64 shares a block
    node_calls      : shares that the node judges at the same time. It has its chain to keep, and a
                      limit of clients (rpcmaxclients, 10 by default)
    max_waiting_per_client : shares of one client that are under way, from their head to their
                      answer; one more is answered `overloaded`. Miners send 4 at a time, so that
                      four of them fit behind one address, and sixteen clients into the queue
    """

    TABLE = "block_handler"
    KIND = "block handler"
    EXAMPLE_NAME = "bh0"
    MASTERS_LIST = "submitBlockUrls"

    pktd: PktdSettings
    bind: str = "127.0.0.1:8083"
    input_queue_len: int = 256
    node_calls: int = 4
    max_waiting_per_client: int = 16
