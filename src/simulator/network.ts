import { numberAt, textAt } from '../protocol/json.ts';
import { type Answer, BAD_ARGUMENT, type Method, OK } from './plug-device.ts';

const NOT_BOUND: Answer = { err_code: -8, err_msg: 'not bind yet' };

/** What a simulated plug is connected to: a Wi-Fi and, perhaps, the cloud. */
export class SimulatedNetwork {
  ssid = 'museum';
  password = '';
  /** The cloud account that the plug is bound to; empty if it is bound to none. */
  account = '';
  server = 'devs.tplinkcloud.com';
  /** Called when the plug is told to go into another Wi-Fi. */
  onJoin: () => void = () => {};

  cloud(): { [method: string]: Method } {
    return {
      get_info: () => ({
        username: this.account,
        server: this.server,
        binded: this.account === '' ? 0 : 1,
        cld_connection: this.account === '' ? 0 : 1,
        illegalType: -1,
        stopConnect: -1,
        tcspStatus: -1,
        fwDlPage: '',
        tcspInfo: '',
        fwNotifyType: 0,
        err_code: 0,
      }),
      unbind: () => {
        if (this.account === '') return NOT_BOUND;
        this.account = '';
        return OK;
      },
      set_server_url: (argument) => {
        const server = textAt(argument, 'server');
        if (server === undefined || server === '') return BAD_ARGUMENT;
        this.server = server;
        return OK;
      },
    };
  }

  netif(): { [method: string]: Method } {
    return {
      get_scaninfo: () => ({
        ap_list: [
          { ssid: 'museum', key_type: 3 },
          { ssid: 'visitors', key_type: 0 },
        ],
        err_code: 0,
      }),
      set_stainfo: (argument) => {
        const [ssid, password] = [textAt(argument, 'ssid'), textAt(argument, 'password')];
        if (ssid === undefined || password === undefined || numberAt(argument, 'key_type') === undefined)
          return BAD_ARGUMENT;
        this.ssid = ssid;
        this.password = password;
        this.onJoin();
        return OK;
      },
    };
  }
}
